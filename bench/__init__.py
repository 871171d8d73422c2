"""How fast a drill is, against what one would do by hand: whole processes, alternately, in one run on one machine."""
