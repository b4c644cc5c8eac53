/* The command line: `mqttload <mode> --name number ...`. All values are whole numbers. */
#ifndef OPTIONS_H
#define OPTIONS_H

struct options {
  const char *mode;
  int port;
  int qos;
  int publishers;
  int subscribers;
  /* Subscribers, from the first on, that never read after their SUBACK. */
  int frozen;
  /* Messages per write(2). */
  int batch;
  /* Messages under way at most: bounds every queue of the broker. */
  int window;
  /* Messages per second on a fixed schedule. */
  int rate;
  /* Connections of `connect`, `hold`, `claim` and `loris`, and how many of them may be half open at once. */
  int clients;
  int concurrent;
  /* Repetitions of `connect`; each begins with the loss of all connections of the one before. */
  int rounds;
  /* 1: all clients of `claim` open before the first says anything. */
  int gather;
  /* Not measured, then measured. */
  int warm_ms;
  int ms;
  /* The broker's process, for its CPU time; 0 = not looked at. */
  int pid;
  /* When the whole run counts as stuck. */
  int deadline_s;
};

/* Fills in defaults; ends the process when an option is unknown. */
struct options read_options(int count, char **words);

#endif
