/* proxy_passwd.h: `epi-proxy passwd`. */
#ifndef PROXY_PASSWD_H
#define PROXY_PASSWD_H

/* Put a user into a users file, with a password that is asked for, or take one
 * out: argv[0] is "passwd". Returns the program's exit code. */
int proxy_passwd(int argc, char **argv);

#endif
