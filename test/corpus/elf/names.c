/* One of each kind of name: see README.md. */
int plain(int a) { return a * 3; }
static int __attribute__((used, noinline)) hidden(int a) { return a * 5; }
extern int second(int a) __attribute__((alias("plain")));
int __attribute__((weak)) weak_one(int a) { return a + hidden(a); }
__asm__(".text\n.globl without_size\nwithout_size:\n.long 0,0\n");
