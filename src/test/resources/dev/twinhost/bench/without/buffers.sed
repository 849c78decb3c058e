# Buffers of the default sizes, and files on disk where they do not suffice.
/^proxy_buffer/d
/^proxy_busy/d
/^proxy_max_temp_file_size/d
