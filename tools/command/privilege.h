/* Would exec(2) of a file gain privileges? Then the kernel sets AT_SECURE and the loader ignores LD_PRELOAD. */
#ifndef AIRLOCK_COMMAND_PRIVILEGE_H
#define AIRLOCK_COMMAND_PRIVILEGE_H

/* What makes an exec of file by this process secure, in words that follow "it is" or NULL. The rules are those of
 * cap_bprm_creds_from_file() in Linux; what a security module adds (an AppArmor or SELinux transition) is not seen. */
const char *privilege_gained(const char *file);

#endif
