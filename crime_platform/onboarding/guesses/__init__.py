"""What a table that nobody described yet may mean: its columns, dates, points and labels."""
