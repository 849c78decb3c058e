# No sendfile and no tcp_nopush.
/^sendfile /d
/^tcp_nopush /d
