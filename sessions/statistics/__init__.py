"""Usage statistics: added up day by day, and kept when the rows behind them are gone."""
