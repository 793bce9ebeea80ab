"""Evaluation: schedules, fits, runs, scores, skill, selection, gate and candidate."""
