/* options.h: the options of SOCKS 6 messages, one function for each group.
 *
 * A function that reads is given the data of an option, and returns 0,
 * EPI_EPROTO, or what it says besides. Padding behind what an option is known
 * to have may be of any length. A function that writes leaves out what is not
 * set. version is EPI_SOCKS6, EPI_SOCKS6_12 or EPI_SOCKSX. */
#ifndef EPI__OPTIONS_H
#define EPI__OPTIONS_H

#include "socks/wire.h"

/* Kinds (draft-11 section 8); 64512 and above are for experiments. */
enum {
  EPI__KIND_STACK = 1,
  EPI__KIND_ADVERT = 2,
  EPI__KIND_SELECTION = 3,
  EPI__KIND_AUTH_DATA = 4,
  EPI__KIND_SESSION_REQUEST = 5,
  EPI__KIND_SESSION_ID = 6,
  EPI__KIND_SESSION_OK = 8,
  EPI__KIND_SESSION_INVALID = 9,
  EPI__KIND_SESSION_TEARDOWN = 10,
  EPI__KIND_TOKEN_REQUEST = 11,
  EPI__KIND_TOKEN_WINDOW = 12,
  EPI__KIND_TOKEN_EXPENDITURE = 13,
  EPI__KIND_TOKEN_ACCEPTED = 14,
  EPI__KIND_TOKEN_REJECTED = 15,
  EPI__KIND_METADATA = 65000,
};

/* ---- framing ---- */

/* Write the head of an option with len bytes of data. Returns the number of
 * padding bytes that must follow them. */
size_t epi__option_head_write(epi__writer *out, int version, unsigned kind,
                              size_t len);

/* Write the head of an option whose data, a multiple of 4, has no padding in
 * either layout. */
void epi__option_fixed_write(epi__writer *out, unsigned kind, size_t len);

/* ---- stack options ---- */

int epi__option_stack_read(epi__reader *data, epi__stack *out);
void epi__option_stack_write(epi__writer *out, const epi__stack *stack);

/* ---- authentication ---- */

int epi__option_advert_read(epi__reader *data, epi__advert *out);
void epi__option_advert_write(epi__writer *out, int version,
                              const epi__advert *advert);

int epi__option_selection_read(epi__reader *data, int *method);
void epi__option_selection_write(epi__writer *out, int version, int method);

/* EPI_ENOMEM too, and EPI_ELIMIT for data of too many methods. */
int epi__option_login_read(epi__reader *data, epi__login *login,
                           epi__auth_data *others);
int epi__option_status_read(epi__reader *data, int *status,
                            epi__auth_data *others);
void epi__option_login_write(epi__writer *out, int version,
                             const epi__login *login);
void epi__option_status_write(epi__writer *out, int version, int status);
void epi__option_auth_data_write(epi__writer *out, int version,
                                 const epi__auth_data *all);

/* ---- sessions and tokens ---- */

/* Any of their kinds; others are left alone. EPI_ELIMIT too, for an id that is
 * too long. */
int epi__option_session_read(unsigned kind, epi__reader *data,
                             epi_request *out);
int epi__option_session_state_read(unsigned kind, epi__reader *data,
                                   epi_auth_reply *out);
int epi__option_session_id_read(epi__reader *data, epi__session_id *out);

/* What goes beyond a single option: 0 or EPI_EPROTO. */
int epi__option_session_check(const epi_request *request);

void epi__option_session_write(epi__writer *out, const epi_request *request);
void epi__option_session_state_write(epi__writer *out,
                                     const epi_auth_reply *reply);
void epi__option_session_id_write(epi__writer *out, const epi__session_id *id);

#endif
