"""`latentwalk look`: a page of sliders, and the pictures that follow them."""
