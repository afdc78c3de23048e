/* Shapes of frames on AArch64. See README.md in this folder for how aarch64-frames.so was made. */
typedef unsigned long u64;
extern u64 outside(u64, void *);

u64 leaf(u64 n) { return n * 3 + 1; }
u64 plain(u64 n) { return outside(n, 0) + n; }
u64 many(u64 a, u64 b, u64 c, u64 d)
{
	u64 x = outside(a, 0), y = outside(b, 0), z = outside(c, 0);
	return x * y + z * outside(d, 0) + a + b + c + d;
}
u64 variable(u64 n)
{
	char *room = __builtin_alloca(n);
	return outside(n, room) + room[3];
}
u64 wide(u64 n)
{
	volatile char room[200000];
	room[n] = 1;
	return outside(n, (void *)room) + room[n];
}
u64 aligned(u64 n)
{
	volatile char room[64] __attribute__((aligned(64)));
	room[n & 63] = 1;
	return outside(n, (void *)room);
}
u64 early(u64 n)
{
	if (n == 0)
		return 1;
	return outside(n, 0) + outside(n + 1, 0);
}
__attribute__((target("branch-protection=pac-ret"))) u64 guarded(u64 n) { return outside(n, 0) + 1; }
__attribute__((noreturn)) void never(u64 n)
{
	for (;;)
		outside(n, 0);
}
__asm__(".globl tramp\n.type tramp,%function\n.cfi_startproc\n.cfi_signal_frame\n.cfi_def_cfa sp, 0\ntramp: mov x8, #139\nsvc #0\n.cfi_endproc\n"
	".globl last\n.type last,%function\nlast: .cfi_startproc\n.cfi_undefined x30\nmov x29, #0\nbl leaf\nbrk #1\n.cfi_endproc\n");
