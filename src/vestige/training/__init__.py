"""How one model, or many at once, are trained: the recipe and the engines that follow it."""
