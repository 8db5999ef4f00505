# A README with the markers of a merge is left to a person.

. "$LIB"
begin
file README.md <<'END'
# Widget
<<<<<<< HEAD
one
=======
two
>>>>>>> other
END
released v1.2.3
commit 'fix: close the file'
publish
