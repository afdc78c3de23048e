module unwind

go 1.21
