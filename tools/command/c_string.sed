# Makes C string literals of a text, one for each line.
s/[\"]/\\&/g
s/^/"/
s/$/\\n"/
