# No limits for one address and for bodies.
/^limit_conn /d
