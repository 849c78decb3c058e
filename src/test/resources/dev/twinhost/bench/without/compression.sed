# No compression.
s/^gzip on;/gzip off;/
