/* Debian's Python with airlock's _posixsubprocess in place of its own.
 *
 * The module is built into that interpreter, where no search path reaches it: the table of built-in modules is changed
 * before the interpreter starts. The interpreters that it starts as sys.executable are this program again, with
 * whatever options and whatever environment. */
#include <Python.h>

#include <string.h>

PyMODINIT_FUNC PyInit__posixsubprocess(void);

int main(int argc, char **argv) {
    for (struct _inittab *module = PyImport_Inittab; module->name != NULL; module++) {
        if (strcmp(module->name, "_posixsubprocess") != 0)
            continue;
        module->initfunc = PyInit__posixsubprocess;
        return Py_BytesMain(argc, argv);
    }
    fputs("this Python has no _posixsubprocess of its own\n", stderr);
    return 2;
}
