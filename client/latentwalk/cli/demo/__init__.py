"""`latentwalk demo`: a real generator, steered, served and walked from end to end."""
