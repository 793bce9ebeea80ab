"""The quality report and the model card of one candidate: words, tables and pictures, no science.

Every figure is read from the candidate's published tables, so whoever has the release can check
it. Nothing here scores, chooses or judges.
"""
