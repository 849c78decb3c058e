# No line for each request.
s/^access_log .*/access_log off;/
