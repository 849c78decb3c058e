# What a client sends reaches the application, but for what the edge sets itself.
/^proxy_set_header .* "";$/d
