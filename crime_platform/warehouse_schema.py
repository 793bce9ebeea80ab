"""Tables of the warehouse, made where they are missing; each statement may run again at will."""

SCHEMA = """
create table if not exists source_file (
    study_area varchar, source varchar, file_path varchar, sha256 varchar, reading_key varchar,
    n_rows bigint, n_accepted bigint, n_rejected bigint, n_ungeocoded bigint, n_duplicates bigint,
    first_day date, last_day date, ingested_at timestamptz, is_current boolean,
    superseded_at timestamptz,
    primary key (study_area, file_path, sha256, reading_key));
create table if not exists incident_vintage (
    study_area varchar, source varchar, sha256 varchar, reading_key varchar, source_file varchar,
    source_row bigint, source_id varchar, occurred_on date, occurred_hour tinyint, month date,
    offence_type varchar, source_offence varchar, source_premises varchar, lon double, lat double,
    x_m double, y_m double, row smallint, col smallint, n_incidents integer, part varchar,
    ingested_at timestamptz);
alter table incident_vintage add column if not exists source_premises varchar;
alter table incident_vintage add column if not exists part varchar;
create table if not exists rejected_row (
    study_area varchar, source varchar, sha256 varchar, reading_key varchar, source_file varchar,
    source_row bigint, reason varchar, value varchar, ingested_at timestamptz);
create table if not exists data_quality (
    study_area varchar, source varchar, file_path varchar, finding varchar, n_rows bigint,
    share double, example varchar, measured_at timestamptz);
create table if not exists cell_month_count (
    study_area varchar, month date, offence_type varchar, row smallint, col smallint,
    count integer);
create table if not exists cell_month_mark (
    study_area varchar, mark varchar, month date, offence_type varchar, row smallint, col smallint,
    count integer);
create table if not exists month_count (
    study_area varchar, month date, offence_type varchar, count integer, n_ungeocoded integer,
    is_complete boolean);
create table if not exists skill_verdict (
    study_area varchar, as_of_month date, candidate_id varchar, model varchar, passed boolean,
    reasons varchar, figures varchar, judged_at timestamptz,
    primary key (study_area, candidate_id));
create table if not exists publication (
    study_area varchar, as_of_month date, candidate_id varchar, model varchar, run_id varchar,
    published_at timestamptz, primary key (study_area, as_of_month));
create table if not exists superseded_month (
    study_area varchar, source varchar, sha256 varchar, reading_key varchar, part varchar,
    month date);
create or replace view incident as
    select v.* from incident_vintage v
    join source_file f using (study_area, sha256, reading_key, source)
    anti join superseded_month s on s.study_area = v.study_area and s.source = v.source
        and s.sha256 = v.sha256 and s.reading_key = v.reading_key
        and s.part = coalesce(v.part, '') and s.month = v.month
    where f.is_current;
"""

SUPERSEDE_MONTHS = """
insert into superseded_month
    with held as (
        select distinct study_area, source, sha256, reading_key, coalesce(part, '') as part, month
        from incident_vintage where study_area = $study_area and list_contains($sources, source)
    )
    select held.* from held join source_file f using (study_area, source, sha256, reading_key)
    where f.is_current
    qualify row_number() over (
        partition by held.source, held.part, held.month
        order by f.last_day desc, f.ingested_at desc, f.file_path desc
    ) > 1
"""
"""Months of current files that a newer current file of the same source holds too.

Newer is the file that reaches further; of two that reach as far, the one read later.
"""
