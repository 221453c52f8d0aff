/* Where there is no valgrind, as under an emulator: its requests do nothing, so that what needs none of it can run. */
#define RUNNING_ON_VALGRIND                      0
#define VALGRIND_MAKE_MEM_DEFINED(memory, len)   ((void)(memory), (void)(len), 0)
#define VALGRIND_MAKE_MEM_UNDEFINED(memory, len) ((void)(memory), (void)(len), 0)
