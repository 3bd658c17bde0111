"""The parts of a plan, one question a module: is it made, who looks at it, who makes it, for how much."""
