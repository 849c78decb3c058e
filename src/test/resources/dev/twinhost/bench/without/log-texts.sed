# Paths and headers in the log as they are, without a look whether they are UTF-8.
/^  '/{
  s/\$log_uri/$request_uri/
  s/\$log_referer/$http_referer/
  s/\$log_agent/$http_user_agent/
}
