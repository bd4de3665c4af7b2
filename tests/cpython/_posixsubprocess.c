/* CPython 3.11's _posixsubprocess on top of airlock: the same call, the same errors, and the core in place of CPython's
 * own child. Built twice, as an extension module and into the interpreter of launcher.c.
 *
 * CPython's child writes what went wrong into a pipe of the subprocess module and exits with 255. Here the core has
 * told the parent already and reaped the child, so the parent writes the same message, and returns a child that has
 * ended with 255, for the caller to wait for. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <airlock.h>

#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <unistd.h>

enum { STDIO = 3, MOST_ACTIONS = 4 };

/* Everything that one call has to free. */
struct call {
    struct airlock_command command;
    PyObject *before_exec; /* borrowed; NULL for None */
    bool reenable_gc;
    char **argv;
    char **envp;
    char **candidates;
    PyObject *arguments; /* tuple of bytes that argv points into */
    PyObject *cwd;
    gid_t *groups;
    int *keep;
    int stdio[STDIO];
    int ends[4]; /* the parent's: of the three pipes, and the reading end of the error pipe */
    int error_pipe;
    struct airlock_action actions[MOST_ACTIONS];
};

/* ---- Converting arguments. Each returns false with an exception set. */

/* An array of the strings in a sequence of bytes, NULL-terminated; the strings stay the sequence's. */
static char **strings_of(PyObject *sequence) {
    Py_ssize_t count = PySequence_Size(sequence);
    if (count < 0)
        return NULL;
    char **strings = PyMem_Calloc((size_t)count + 1, sizeof *strings);
    if (strings == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *item = PySequence_GetItem(sequence, i);
        int result = item == NULL ? -1 : PyBytes_AsStringAndSize(item, &strings[i], NULL);
        Py_XDECREF(item); /* the sequence holds it */
        if (result < 0) {
            PyMem_Free(strings);
            return NULL;
        }
    }
    return strings;
}

static bool convert_arguments(struct call *call, PyObject *arguments) {
    if (arguments == Py_None)
        return true;
    PyObject *fast = PySequence_Fast(arguments, "argv must be a tuple");
    if (fast == NULL)
        return false;
    Py_ssize_t count = PySequence_Fast_GET_SIZE(fast);
    call->arguments = PyTuple_New(count);
    for (Py_ssize_t i = 0; call->arguments != NULL && i < count; i++) {
        PyObject *converted = NULL;
        if (PySequence_Fast_GET_SIZE(fast) != count) {
            PyErr_SetString(PyExc_RuntimeError, "args changed during iteration");
            Py_CLEAR(call->arguments);
        } else if (!PyUnicode_FSConverter(PySequence_Fast_GET_ITEM(fast, i), &converted)) {
            Py_CLEAR(call->arguments);
        } else {
            PyTuple_SET_ITEM(call->arguments, i, converted);
        }
    }
    Py_DECREF(fast);
    if (call->arguments == NULL || (call->argv = strings_of(call->arguments)) == NULL)
        return false;
    call->command.argv = call->argv;
    return true;
}

static bool convert_program(struct call *call, PyObject *candidates, PyObject *environment, PyObject *cwd) {
    if ((call->candidates = strings_of(candidates)) == NULL)
        return false;
    call->command.candidates = (const char *const *)call->candidates;
    if (environment != Py_None && (call->envp = strings_of(environment)) == NULL)
        return false;
    call->command.envp = call->envp;
    if (cwd == Py_None)
        return true;
    if (!PyUnicode_FSConverter(cwd, &call->cwd))
        return false;
    call->command.cwd = PyBytes_AS_STRING(call->cwd);
    return true;
}

/* Ids are unsigned and 32 bits wide; -1 stands for none. */
static bool convert_id(PyObject *object, const char *what, unsigned *id) {
    PyObject *number = PyNumber_Index(object);
    int overflow = 0;
    if (number == NULL)
        return false;
    long long value = PyLong_AsLongLongAndOverflow(number, &overflow);
    Py_DECREF(number);
    if (value == -1 && PyErr_Occurred())
        return false;
    if (overflow < 0 || (overflow == 0 && value < -1)) {
        PyErr_Format(PyExc_OverflowError, "%s is less than minimum", what);
        return false;
    }
    if (overflow > 0 || value >= (long long)UINT_MAX) {
        PyErr_Format(PyExc_OverflowError, "%s is greater than maximum", what);
        return false;
    }
    *id = (unsigned)value;
    return true;
}

static bool convert_groups(struct call *call, PyObject *groups) {
    if (groups == Py_None)
        return true;
    if (!PyList_Check(groups)) {
        PyErr_SetString(PyExc_TypeError, "setgroups argument must be a list");
        return false;
    }
    Py_ssize_t count = PySequence_Size(groups);
    if (count > NGROUPS_MAX) {
        PyErr_SetString(PyExc_ValueError, "too many groups");
        return false;
    }
    if ((call->groups = PyMem_Calloc((size_t)count + 1, sizeof *call->groups)) == NULL) {
        PyErr_NoMemory();
        return false;
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *group = PyList_GET_ITEM(groups, i);
        if (!PyLong_Check(group)) {
            PyErr_SetString(PyExc_TypeError, "groups must be integers");
            return false;
        }
        if (!convert_id(group, "gid", &call->groups[i])) {
            PyErr_SetString(PyExc_ValueError, "invalid group id");
            return false;
        }
    }
    call->command.groups = call->groups;
    call->command.group_count = (size_t)count;
    call->command.flags |= AIRLOCK_SETGROUPS;
    return true;
}

static bool convert_ids(struct call *call, PyObject *gid, PyObject *groups, PyObject *uid) {
    unsigned number;
    if (!convert_groups(call, groups))
        return false;
    if (gid != Py_None) {
        if (!convert_id(gid, "gid", &number))
            return false;
        call->command.gid = number;
        call->command.flags |= number == (unsigned)-1 ? 0 : AIRLOCK_SETGID;
    }
    if (uid != Py_None) {
        if (!convert_id(uid, "uid", &number))
            return false;
        call->command.uid = number;
        call->command.flags |= number == (unsigned)-1 ? 0 : AIRLOCK_SETUID | AIRLOCK_KEEP_GROUPS;
    }
    return true;
}

/* CPython asks for a strictly rising tuple of descriptors; the error pipe is among them and is not to be inherited. */
static bool convert_kept(struct call *call, PyObject *kept) {
    Py_ssize_t count = PyTuple_GET_SIZE(kept);
    long last = -1;
    if ((call->keep = PyMem_Calloc((size_t)count + 1, sizeof *call->keep)) == NULL) {
        PyErr_NoMemory();
        return false;
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *item = PyTuple_GET_ITEM(kept, i);
        long number = PyLong_Check(item) ? PyLong_AsLong(item) : -1;
        if (number <= last || number > INT_MAX) {
            PyErr_SetString(PyExc_ValueError, "bad value(s) in fds_to_keep");
            return false;
        }
        last = number;
        if (number != call->error_pipe)
            call->keep[call->command.keep_count++] = (int)number;
    }
    call->command.keep = call->keep;
    call->command.flags |= AIRLOCK_MAKE_INHERITABLE;
    return true;
}

/* ---- The call. */

static bool is_kept(const struct call *call, int fd) {
    for (size_t i = 0; i < call->command.keep_count; i++)
        if (call->keep[i] == fd)
            return true;
    return false;
}

/* The parent's ends are closed in the child, unless one of the child's own has taken their place by then. */
static void close_ends(struct call *call) {
    for (int i = 0; i < 4; i++) {
        int fd = call->ends[i];
        bool replaced = fd >= 0 && fd < STDIO && call->stdio[fd] >= 0;
        bool needed = fd == call->stdio[0] || fd == call->stdio[1] || fd == call->stdio[2];
        if (fd < 0 || replaced || needed || is_kept(call, fd))
            continue;
        call->actions[call->command.action_count++] = AIRLOCK_CLOSE(fd);
    }
    call->command.actions = call->actions;
    call->command.stdio = call->stdio;
}

/* What the forking thread does around fork itself: the interpreter's own handlers, and the lock is let go in the
 * parent, which then waits for the child to execute while other threads run. */
static _Thread_local struct {
    bool forking;
    PyThreadState *suspended;
} around_fork;

static void after_fork_in_parent(void) {
    if (!around_fork.forking)
        return;
    around_fork.forking = false;
    PyOS_AfterFork_Parent();
    around_fork.suspended = PyEval_SaveThread();
}

static int before_exec(void *argument) {
    around_fork.forking = false;
    PyOS_AfterFork_Child();
    PyObject *result = PyObject_CallNoArgs(argument);
    return result == NULL ? ECANCELED : 0;
}

static int spawn(struct call *call, struct airlock_child *child, struct airlock_error *error) {
    call->command.flags |= AIRLOCK_IN_ORDER;
    if (call->before_exec == NULL)
        return airlock_spawn(&call->command, child, error, NULL);
    call->command.before_exec = before_exec;
    call->command.before_exec_argument = call->before_exec;
    PyOS_BeforeFork();
    around_fork.suspended = NULL;
    around_fork.forking = true;
    int code = airlock_spawn(&call->command, child, error, NULL);
    if (around_fork.suspended != NULL)
        PyEval_RestoreThread(around_fork.suspended);
    else
        PyOS_AfterFork_Parent();
    around_fork.forking = false;
    return code;
}

/* The message that CPython's child would have written; "noexec" says that it did not come as far as exec. */
static void write_message(const struct call *call, const struct airlock_error *error) {
    char message[64];
    bool late = error->step == AIRLOCK_STEP_EXEC || error->step == AIRLOCK_STEP_SEAL;
    int length;
    if (error->step == AIRLOCK_STEP_CALLBACK)
        length = snprintf(message, sizeof message, "SubprocessError:0:Exception occurred in preexec_fn.");
    else
        length = snprintf(message, sizeof message, "OSError:%X:%s", (unsigned)error->code, late ? "" : "noexec");
    if (write(call->error_pipe, message, (size_t)length) < 0)
        errno = 0; /* nobody reads it, then */
}

static pid_t ended_child(void) {
    pid_t pid = vfork();
    if (pid == 0)
        _exit(255);
    return pid;
}

static PyObject *carry_out(struct call *call) {
    struct airlock_child child;
    struct airlock_error error;
    int code = spawn(call, &child, &error);
    if (code == 0)
        return PyLong_FromLong(child.pid);
    if (error.step > AIRLOCK_STEP_CLONE) {
        write_message(call, &error);
        child.pid = ended_child();
        if (child.pid > 0)
            return PyLong_FromLong(child.pid);
        code = errno;
    }
    errno = code;
    return PyErr_SetFromErrno(PyExc_OSError);
}

static void release(struct call *call) {
    if (call->reenable_gc)
        PyGC_Enable();
    PyMem_Free(call->argv);
    PyMem_Free(call->envp);
    PyMem_Free(call->candidates);
    PyMem_Free(call->groups);
    PyMem_Free(call->keep);
    Py_XDECREF(call->arguments);
    Py_XDECREF(call->cwd);
}

static bool check_interpreter(const struct call *call) {
    PyInterpreterState *interpreter = PyInterpreterState_Get();
    if (call->before_exec != NULL && interpreter != PyInterpreterState_Main()) {
        PyErr_SetString(PyExc_RuntimeError, "preexec_fn not supported within subinterpreters");
        return false;
    }
    if (_PyInterpreterState_GetConfig(interpreter)->_isolated_interpreter) {
        PyErr_SetString(PyExc_RuntimeError, "subprocess not supported for isolated subinterpreters");
        return false;
    }
    return true;
}

static PyObject *fork_exec(PyObject *module, PyObject *tuple) {
    PyObject *arguments, *candidates, *kept, *cwd, *environment, *gid, *groups, *uid, *callback, *result = NULL;
    int close_fds, restore_signals, setsid, group, umask, allow_vfork;
    struct call call = {.error_pipe = -1};
    (void)module;
    if (!PyArg_ParseTuple(tuple, "OOpO!OOiiiiiiiippiOOOiOp:fork_exec", &arguments, &candidates, &close_fds,
                          &PyTuple_Type, &kept, &cwd, &environment, &call.stdio[0], &call.ends[0], &call.ends[1],
                          &call.stdio[1], &call.ends[2], &call.stdio[2], &call.ends[3], &call.error_pipe,
                          &restore_signals, &setsid, &group, &gid, &groups, &uid, &umask, &callback, &allow_vfork))
        return NULL;
    call.before_exec = callback == Py_None ? NULL : callback;
    if (!check_interpreter(&call))
        return NULL;
    if (close_fds && call.error_pipe < STDIO) {
        PyErr_SetString(PyExc_ValueError, "errpipe_write must be >= 3");
        return NULL;
    }
    if (!convert_kept(&call, kept)) {
        release(&call);
        return NULL;
    }
    if (call.before_exec != NULL)
        call.reenable_gc = PyGC_Disable();

    call.command.seal = close_fds ? AIRLOCK_SEAL : AIRLOCK_SEAL_NONE;
    if (restore_signals)
        call.command.default_signals = AIRLOCK_SIGNAL(SIGPIPE) | AIRLOCK_SIGNAL(SIGXFSZ);
    call.command.flags |= (setsid ? AIRLOCK_SETSID : 0) | (group >= 0 ? AIRLOCK_SETPGROUP : 0) |
                          (umask >= 0 ? AIRLOCK_SETUMASK : 0) | (allow_vfork ? 0 : AIRLOCK_NO_SHARED_MEMORY);
    call.command.process_group = group;
    call.command.umask = (mode_t)umask;
    close_ends(&call);
    if (convert_program(&call, candidates, environment, cwd) && convert_arguments(&call, arguments) &&
        convert_ids(&call, gid, groups, uid))
        result = carry_out(&call);
    release(&call);
    return result;
}

/* What the module offered before Python 3.4. */
static PyObject *cloexec_pipe(PyObject *module, PyObject *none) {
    int ends[2];
    (void)module, (void)none;
    int code = airlock_pipe(ends);
    if (code == 0)
        return Py_BuildValue("(ii)", ends[0], ends[1]);
    errno = code;
    return PyErr_SetFromErrno(PyExc_OSError);
}

static PyMethodDef methods[] = {
    {"fork_exec", fork_exec, METH_VARARGS, "Starts a program as the subprocess module asks for it; returns its pid."},
    {"cloexec_pipe", cloexec_pipe, METH_NOARGS, "Returns a pipe (reading end, writing end) that no child inherits."},
    {NULL, NULL, 0, NULL},
};

static int register_handlers(PyObject *module) {
    static bool registered;
    if (!registered && pthread_atfork(NULL, after_fork_in_parent, NULL) != 0) {
        PyErr_NoMemory();
        return -1;
    }
    registered = true;
    return PyModule_AddStringConstant(module, "airlock", AIRLOCK_VERSION);
}

static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, register_handlers},
    {0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_posixsubprocess",
    .m_doc = "The subprocess module's helper, carried out by airlock.",
    .m_methods = methods,
    .m_slots = slots,
};

PyMODINIT_FUNC PyInit__posixsubprocess(void) {
    return PyModuleDef_Init(&definition);
}
