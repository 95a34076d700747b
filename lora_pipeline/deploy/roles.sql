-- The console's roles on your own PostgreSQL server (16 or newer). Run once per server, as
-- superuser; running it again changes nothing:
--
--   psql -v login=lora_pipeline -v database=lora_pipeline -f roles.sql postgres
--
-- `login` is the role in DATABASE_URL. Set its password with \password; it owns the
-- database. It can SET ROLE to lp_web (policies show the rows of one user) and lp_operator
-- (policies show all rows), but inherits neither: a connection that sets no role sees
-- nothing. No role here is a superuser or has BYPASSRLS.

\set ON_ERROR_STOP on

SELECT format('CREATE ROLE %I NOLOGIN', name)
FROM unnest(ARRAY['lp_web', 'lp_operator']) AS name
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) \gexec

SELECT format('CREATE ROLE %I LOGIN', :'login')
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'login') \gexec

ALTER ROLE lp_web NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE;
ALTER ROLE lp_operator NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE;
GRANT lp_web, lp_operator TO :"login" WITH INHERIT FALSE, SET TRUE;

SELECT format('CREATE DATABASE %I OWNER %I', :'database', :'login')
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'database') \gexec
