"""How membership comes to be encoded over training: measures of the plane's motion, and of whom it hits."""
