"""The policy: the rows of the score tables that re-choose their model at every origin.

The champion is the model that is published. The policy is the rule that chose it, scored on months
it had not seen: the gate judges it, it is never published itself, and it has no rank.
"""

POLICY = "policy"  # in the column `model`
EARLIER_NAME = "champion"  # of the same rows, in candidates of earlier versions of the platform

WHAT_IT_IS = (
    "The policy is no model: at every origin it takes the model that the rule would have published "
    "then, chosen on earlier origins alone. The gate judges it, and it has no rank."
)


def named_policy(column: str) -> str:
    """SQL of a column of model names in which the policy has its name, whatever wrote the row."""
    return f"case when {column} = '{EARLIER_NAME}' then '{POLICY}' else {column} end"
