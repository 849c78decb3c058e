# The application by one address that never changes, in the memory of each worker, with the defaults for connections that are kept.
s/^  server twinhost_app:.*/  server 10.0.1.2;/
/^  zone app/d
/^  server 127.0.0.1:1 max_fails=0 backup;/d
/^  keepalive/d
