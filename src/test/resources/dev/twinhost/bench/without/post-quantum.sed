# No key exchange that withstands quantum computers.
s/X25519MLKEM768://
