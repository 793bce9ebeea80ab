"""What the name of a column says, in English, Spanish, Portuguese, French, German and Italian.

Names are compared as small words without accents, and once more with the words joined: `DATE_OCC`
is `date occ` and `dateocc`, `DATAOCORRENCIA` is one word.
"""

import re
import unicodedata
from collections.abc import Mapping

_KIND = (
    "incident|incidente|inc|offen[cs]e|crime|crimen|event|evento|delito|delit|infraction|infracao"
    "|reato|delikt|straftat|fait|fatto|vorfall|ereignis|suceso"
)
_DATE = "date|datetime|dt|day|time|timestamp|fecha|hora|data|datum|dia|jour|tag|giorno"
_OF = "of|the|de|do|da|du|des|del|la|el|le|della|der|von"
_EAST = "east|easting|eastings|este|leste|ost|ostwert|rechtswert"
_NORTH = "north|northing|northings|norte|nord|nordwert|hochwert"
_INCIDENTS = (  # more than one
    "offen[cs]es|crimes|incidents|cases|events|reports|records|occurrences"
    "|delitos|crimenes|hechos|casos|eventos|incidentes|denuncias|registros"
    "|ocorrencias|infracoes|fatos|faits|delits|infractions|plaintes|cas"
    "|delikte|straftaten|taten|falle|faelle|vorfalle|vorfaelle|ereignisse"
    "|reati|casi|fatti|delitti|episodi|denunce"
)
_TOTAL = "total|totals|totale|totaux|sum|summe|somme|somma|suma|soma|gesamt|insgesamt"
_HOW_MANY = (
    rf"{_TOTAL}|n|no|nr|nro|nb|nbre|num|number|numero|nombre|anz|zahl|qty|quantity|qtd|qtde|qt|cant"
)
_PLACE = "location|locn|loc|place|lugar|local|lieu|ort|luogo"

# Most telling first.
NAMES: Mapping[str, tuple[str, ...]] = {
    "occurred_at": (
        r".*(occur|ocurr|ocorr|hecho|fato|tatzeit|tatdatum|tattag|begangen|accadut|avvenut"
        r"|happened|commit|comision|cometid).*"
        r"|(.* )?occ( .*)?|cmplnt fr dt|occ(date|datetime|dt|time).*"
        rf"|({_DATE})+({_OF})*({_KIND})s?|({_KIND})s?({_DATE})+(start|from|begin)?(local|utc)?",
        rf"(from|start|begin|first)({_DATE})+|({_DATE})+(from|start|begin|anfang|debut|inizio)",
        rf"({_DATE})+|when|(year ?)?month|yearmonth|mes|mois|monat|mese|anomes|epoch"
        r"|unix(time)?|timestamp",
        r"(?:.* )?(date|datetime|dt|fecha|data|datum|month|mes|mois|monat|mese|jour|dia|tag|giorno"
        rf"|epoch|timestamp)( .*)?|({_DATE}|epoch|timestamp)(ms|utc|local|\d+)",
        r".*",
    ),
    "offence": (
        r"offen[cs]es?( ?(type|desc\w*|name|category|code ?desc\w*))?|crime( ?(type|name))?"
        r"|primary ?type|ofns ?desc|mci( category)?|crime ?category|anzsoc ?division"
        r"|(tipo|type|art)?(de|di|do|da|d|l)*(delitos?|infractions?|delikt|straftat|reato|rubrica"
        r"|crimen?|natureza|infracao)",
        r".*(offen[cs]e|crime|crimen|delito|delikt|straftat|reato|infrac|rubrica|ofns|nibrs|ucr).*",
        r"(incident|event|call|case)? ?(category|type|class|classification|nature|kind)"
        r"( ?(desc\w*|name|primary|group))?|.*(incident|event|call) type.*"
        r"|what|tipo|categoria|clase|kategorie|typ|categorie|natureza|natura"
        r"|tipologia|modalidad|bezeichnung|libelle",
        r".*\b(category|description|desc|descr|charge|categoria|kategorie|categorie|descripcion"
        r"|descricao|beschreibung|descrizione)\b.*",
    ),
    "lon": (
        r"lon|long|lng|longitude|longitud|longitudine|laengengrad|langengrad|laenge|lange",
        r".*\b(lon|long|lng|longitude|longitud)\b.*|.*longitude?.*|lon\w{0,5}|\w+(lon|lng)",
        r"x|.* x|x .*|xcoord\w*|coordx|.*geometry x",
    ),
    "lat": (
        r"lat|latitude|latitud|latitudine|breitengrad|breite",
        r".*\b(lat|latitude|latitud)\b.*|.*latitude?.*|lat\w{0,5}|\w+lat",
        r"y|.* y|y .*|ycoord\w*|coordy|.*geometry y",
    ),
    "x": (
        rf"x|{_EAST}",
        rf"x .*|.* x|xcoord\w*|x?utmx?|utme|coord\w*x|(point|gps|geo)x|xkoord\w*"
        rf"|.*\b({_EAST})\b.*",
    ),
    "y": (
        rf"y|{_NORTH}",
        rf"y .*|.* y|ycoord\w*|y?utmy?|utmn|coord\w*y|(point|gps|geo)y|ykoord\w*"
        rf"|.*\b({_NORTH})\b.*",
    ),
    "point": (
        r"point|location|(the ?)?geom(etry)?|wkt|geo ?point\w*( 2d)?|coord\w*|lat ?(lon|lng|long)"
        r"|(lon|lng|long) ?lat|shape|geocode\w*|.*geo.*|.*coord.*|.*location.*|.*point.*",
        r".*",
    ),
    "hour": (
        r".*(hour|hora|heure|stunde|uhrzeit|orario).*|ora|hr|.*\b(ora|hr)\b.*",
        r".*\b(time|tm|zeit)\b.*|time\w*|\w+time",
    ),
    "id": (
        r"(incident|event|crime|case|complaint|record|object|report)? ?(id|number|no|num|nr|key)"
        r"|cmplnt num|numero|nummer|folio|aktenzeichen|identificador",
        r".*\b(incident|event|crime|case|report|ocorrencia|delito|expediente)\b.*"
        r"\b(id|number|no|num|nr|key|numero)\b.*",
    ),
    "premises": (
        r".*\bprem\w*\b.*",
        rf"({_PLACE})s? ?(type|desc\w*|category|art|tipo|typ).*"
        rf"|(.* )?(tipo|type|art) ?(de|di|du|do|des)? ?({_PLACE}).*|tatortart",
    ),
    "count": (
        r".*((?<!ac)(?<!dis)count(?!y|i|r|er|ed)|number of|anzahl|fallzahl|cantidad|quantidade"
        r"|victimi[sz]ations|conteo|contagem|conteggio).*"
        r"|(.* )?(freq|fre[cq]u?en[cztn]\w*|ha?e?ufigkeit|quantit[ae]|effectifs?|tally)( .*)?"
        rf"|(.* )?(({_HOW_MANY}) ?)?(({_OF}) ?)*({_INCIDENTS})"
        r"( (?!id|key|cod|typ|tip|num|date|fecha|data|desc)\w+)?"
        rf"|{_TOTAL}|n|cnt|anz|zahl|nb|nbre|nombre|qty|quantity|qtd|qtde|cant",
    ),
    "year": (r"(.* )?(year|yr|ano|anio|annee|jahr|anno|yyyy)( .*)?|\w*(year|jahr|annee)",),
    "month": (r"(.* )?(month|mes|mois|monat|mese|mth|mm)( .*)?|\w*(month|monat)",),
    "day": (r"(.* )?(day|dia|jour|tag|giorno|dd)( .*)?|day(of)?month|\w*day",),
}
_LATER = re.compile(
    r".*(updat|modif|edit|creat|clear|clos(ed|ing|ure)|entered|publish|extract|approv|load|arrest"
    r"|actualiz|atualiz|aggiorn|aktualis|geander|resol|dispos|birth|nacimiento|nascimento|geburt"
    r"|naissance).*"
    r"|(.* )?(to|end|thru|through|until|last|ende|bis|fin|fim|fine|hasta|ate|maj|dob|status)( .*)?"
    r"|(to|end)(date|datetime|dt|time)|\w*(date|dt|time)(to|end)"
)
_REPORTED = re.compile(
    r".*(report|rpt|denunc|registr|comunic|elabora|plainte|anzeige|gemeldet|meldung|erfass|angelegt"
    r"|aufnahme|segnal|querela|signal|record|receiv|dispatch|iniciad|entry).*|(.* )?call( .*)?"
)
_DURATION = re.compile(
    r".*(respon|durat|elapse|minut|second|delay|dauer|duree|duracion|duracao|tempo|wait|interval"
    r"|zone).*|(.* )?(min|mins|sec|secs|total|days|hours)( .*)?"
)
_NO_OFFENCE = re.compile(
    r".*(locat|locn|place|prem|lugar|lieu|luogo|address|district|precinct|neighbo|weapon|status"
    r"|dispos|outcome|resol|method|weather|season|week|victim|property|vehicle|agency|department"
    r"|jurisd|priorit|county|communit|barrio|bairro|colonia|municip|comisar|quarti|arrondiss|bezirk"
    r"|stadtteil|domest|attempt|complet|street|direccion|adresse|endereco|indirizzo|strasse|source"
    r"|reporter|relation).*"
    r"|(.* )?(loc|local|ort|area|beat|zone|ward|block|shift|day|dia|tag|jour|month|unit|city|state"
    r"|id|number|no|num|nr|key|count|date|time|geo|reason|sector|flag|year"
    r"|numero|cantidad|quantidade|anzahl|total|freq)( .*)?"
)
_WORD_BREAKS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def words_of(name: str) -> str:
    """A column's name as small words: `OccurDate` is `occur date`, `AÑO` is `ano`."""
    plain = unicodedata.normalize("NFKD", name.replace("ß", "ss"))
    plain = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return " ".join(re.findall(r"[a-z0-9]+", _WORD_BREAKS.sub(" ", plain).lower()))


def name_rank(key: str, name: str) -> int | None:
    """How telling a name is for a key of `[source.columns]`, 0 the most; None where it is not."""
    if key == "offence" and speaks_of_no_offence(name):
        return None
    if key == "hour" and _fits(_DURATION, name):
        return None
    if key == "occurred_at" and is_reported(name) and _rank(key, name) != 0:
        return len(NAMES[key])
    return _rank(key, name)


def _rank(key: str, name: str) -> int | None:
    ranks = (at for at, pattern in enumerate(NAMES[key]) if _fits(re.compile(pattern), name))
    return next(ranks, None)


def _fits(pattern: re.Pattern[str], name: str) -> bool:
    words = words_of(name)
    return any(pattern.fullmatch(form) for form in (words, words.replace(" ", "")))


def is_later(name: str) -> bool:
    """Whether a date's name speaks of what came later: an end, a change, a closing."""
    return _fits(_LATER, name)


def is_reported(name: str) -> bool:
    """Whether a date's name speaks of the report, not of the incident."""
    return _fits(_REPORTED, name)


def speaks_of_no_offence(name: str) -> bool:
    """Whether a name speaks of a place, a weapon or a status, and names no offence outright."""
    return _rank("offence", name) != 0 and _fits(_NO_OFFENCE, name)
