/*
 * The SQLite store's schema, as SQL text. What SQL users may rely on are the views: payments,
 * balances, account_list, postings, conflicts, quarantined. Tables may change from version to
 * version.
 */
#ifndef CONSUMER_STORE_SCHEMA_H
#define CONSUMER_STORE_SCHEMA_H

/* Marks the file as ours (PRAGMA application_id): "PAYD". */
#define STORE_APPLICATION_ID 0x50415944

/* The version of the tables (PRAGMA user_version). */
#define STORE_SCHEMA_VERSION 6

/* Makes tables and views in an empty database. */
extern const char *const store_schema_sql;

#endif
