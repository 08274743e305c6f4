"""What the network was worth, in figures: added up day by day, and kept when the rows behind them are gone."""
