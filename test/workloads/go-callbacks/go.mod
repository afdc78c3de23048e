module callbacks

go 1.18
