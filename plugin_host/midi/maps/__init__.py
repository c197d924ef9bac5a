"""The controller maps that Highband brings; `highband midi maps` lists them."""
