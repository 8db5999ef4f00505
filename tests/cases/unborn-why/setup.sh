# Without a commit, that is the only thing that is said of the history.

. "$LIB"
begin
