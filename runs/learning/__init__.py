"""What finished runs teach: a better recipe, and what to change in one."""
