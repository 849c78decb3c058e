# No headers of the edge in answers.
/^add_header /d
