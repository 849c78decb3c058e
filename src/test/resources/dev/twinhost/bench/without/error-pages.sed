# No second attempt.
/^error_page 502 504 = @again;/d
