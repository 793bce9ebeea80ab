"""Ways in which a file on a disk goes bad."""


def cut_off(path):
    """The file without its last third, as after a full disk or a broken copy."""
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * 2 // 3])


def flip_a_bit(path):
    """The file with one bit in its middle the other way round."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))
