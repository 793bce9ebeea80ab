"""What the policy is, in words and in SQL."""

from crime_platform.schema.values import EARLIER_POLICY, POLICY

WHAT_IT_IS = (
    "The policy is no model: at every origin it takes the model that the rule would have published "
    "then, chosen on earlier origins alone. The gate judges it, and it has no rank."
)


def named_policy(column: str) -> str:
    """SQL of a column of model names in which the policy has its name, whatever wrote the row."""
    return f"case when {column} = '{EARLIER_POLICY}' then '{POLICY}' else {column} end"
