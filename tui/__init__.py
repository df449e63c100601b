"""Both faces of the terminal: commands and the full-screen app."""
