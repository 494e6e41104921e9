/** Numbers of SSH messages, the first byte of each payload (RFC 4250, section 4.1.2, where nothing else is named). */
export const MESSAGE = {
  DISCONNECT: 1,
  IGNORE: 2,
  UNIMPLEMENTED: 3,
  DEBUG: 4,
  SERVICE_ACCEPT: 6,
  /** RFC 8308, section 2.3. */
  EXT_INFO: 7,
  KEXINIT: 20,
  /** RFC 4419, section 5. Other key exchanges give 31 another meaning. */
  KEX_DH_GEX_GROUP: 31,
  USERAUTH_FAILURE: 51,
  USERAUTH_SUCCESS: 52,
  USERAUTH_BANNER: 53,
  /** The first of each login method's own; USERAUTH_PK_OK for keys (RFC 4252, section 7). */
  USERAUTH_METHOD: 60,
  GLOBAL_REQUEST: 80,
  REQUEST_SUCCESS: 81,
  REQUEST_FAILURE: 82,
  CHANNEL_OPEN: 90,
  CHANNEL_OPEN_CONFIRMATION: 91,
  CHANNEL_WINDOW_ADJUST: 93,
  CHANNEL_DATA: 94,
  CHANNEL_EXTENDED_DATA: 95,
  CHANNEL_REQUEST: 98,
  /** The highest number that is in use. */
  CHANNEL_FAILURE: 100,
} as const;

/** The type of CHANNEL_EXTENDED_DATA that holds stderr (RFC 4254, section 5.2). */
export const EXTENDED_DATA_STDERR = 1;
