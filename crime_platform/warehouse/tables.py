"""Tables of the warehouse, made where they are missing; each statement may run again at will."""

import hashlib

_STATEMENTS = """
create table if not exists source_file (
    study_area varchar, source varchar, file_path varchar, sha256 varchar, reading_key varchar,
    n_rows bigint, n_accepted bigint, n_rejected bigint, n_ungeocoded bigint, n_duplicates bigint,
    first_day date, last_day date, ingested_at timestamptz, is_current boolean,
    superseded_at timestamptz, published_on date, revisions varchar, content_at timestamptz,
    primary key (study_area, file_path, sha256, reading_key));
alter table source_file add column if not exists published_on date;
alter table source_file add column if not exists revisions varchar;
alter table source_file add column if not exists content_at timestamptz;
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
create table if not exists source_header (
    study_area varchar, source varchar, sha256 varchar, reading_key varchar, file_path varchar,
    member varchar, columns varchar[], types varchar[], ingested_at timestamptz);
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
    is_complete boolean, completeness_share double, treatment varchar, note varchar);
alter table month_count add column if not exists completeness_share double;
alter table month_count add column if not exists treatment varchar;
alter table month_count add column if not exists note varchar;
create table if not exists month_revision (
    study_area varchar, month date, offence_type varchar, known_on date, age_days integer,
    count bigint);
alter table month_revision add column if not exists known_on date;
alter table month_revision add column if not exists age_days integer;
alter table month_revision drop column if exists vintage_month;
alter table month_revision drop column if exists age_months;
create table if not exists segment_day_count (
    study_area varchar, day date, offence_group varchar, mark varchar, segment_id varchar,
    count integer);
create table if not exists unsnapped_incident (
    study_area varchar, source varchar, sha256 varchar, source_file varchar, source_row bigint,
    offence_type varchar, reason varchar, distance_m double);
create table if not exists street_count (
    study_area varchar primary key, graph_key varchar, offence_groups varchar[], first_day date,
    last_day date, newest_day date, n_incidents bigint, n_snapped bigint, n_beyond bigint,
    n_outside bigint, n_without_place bigint, counted_at timestamptz);
create table if not exists data_check (
    study_area varchar, check_name varchar, passed boolean, severity varchar, problem varchar,
    checked_at timestamptz, primary key (study_area, check_name));
create table if not exists skill_verdict (
    study_area varchar, as_of_month date, candidate_id varchar, model varchar, passed boolean,
    reasons varchar, figures varchar, judged_at timestamptz,
    primary key (study_area, candidate_id));
create table if not exists street_verdict (
    study_area varchar, as_of_day date, candidate_id varchar, model varchar, passed boolean,
    reasons varchar, figures varchar, judged_at timestamptz,
    primary key (study_area, candidate_id));
create table if not exists street_publication (
    study_area varchar, as_of_day date, candidate_id varchar, model varchar, run_id varchar,
    published_at timestamptz, primary key (study_area, as_of_day));
create table if not exists publication (
    study_area varchar, as_of_month date, candidate_id varchar, model varchar, run_id varchar,
    published_at timestamptz, primary key (study_area, as_of_month));
create table if not exists held_month (
    study_area varchar, source varchar, sha256 varchar, reading_key varchar, part varchar,
    month date, n_rows bigint);
create or replace view file_known as
    with bytes as (
        select study_area, source, sha256,
            arg_max(reading_key, (is_current, ingested_at)) as reading_key,
            arg_max(file_path, (is_current, ingested_at)) as file_path,
            arg_max(revisions, (is_current, ingested_at)) as revisions,
            arg_max(published_on, (is_current, ingested_at)) as published_on,
            arg_max(last_day, (is_current, ingested_at)) as last_day,
            min(ingested_at) as first_ingested,
            min(coalesce(content_at, ingested_at)) as content_at,
            case when not bool_or(is_current) then max(superseded_at) end as retired_at
        from source_file
        where is_current or superseded_at is not null -- the others wait for the rest of an ingest
        group by study_area, source, sha256
    ),
    dated as (
        select * replace (
            case when row_number() over versions = 1 then published_on end as published_on
        )
        from bytes
        window versions as (partition by study_area, source, file_path order by first_ingested)
    )
    select * exclude (first_ingested, retired_at),
        least(published_on::timestamp at time zone 'UTC', first_ingested) as known_from,
        retired_at as known_until
    from dated;
create or replace macro month_known_at(moment) as table
    with known as (
        select * from file_known
        where known_from <= moment and (known_until is null or known_until > moment)
        qualify row_number() over (
            partition by study_area, source, file_path order by known_from desc
        ) = 1
    )
    select h.*, f.known_from, f.published_on, f.content_at, f.file_path from held_month h
    join known f using (study_area, source, sha256, reading_key)
    qualify f.revisions is distinct from 'replace_months' or row_number() over (
        partition by h.study_area, h.source, h.part, h.month
        order by f.last_day desc, f.known_from desc, f.file_path desc
    ) = 1;
create or replace macro incident_known_at(moment) as table
    select v.* from incident_vintage v
    join month_known_at(moment) k on k.study_area = v.study_area and k.source = v.source
        and k.sha256 = v.sha256 and k.reading_key = v.reading_key
        and k.part = coalesce(v.part, '') and k.month = v.month;
create or replace view incident as select * from incident_known_at('infinity'::timestamptz);
"""
"""What was known when.

`file_known` has every file's bytes once, read as they are read today, with the time from which
they were known: the day the publisher wrote on them, else their first ingest. `content_at` is the
moment by which their content was known: the file's own time, or when its API was asked last. Bytes
that replace others under the same name can never be known before their ingest. Of several bytes
under one name, as when earlier ones come back, the newest known count. Where a source publishes
months anew, of a month that several known files hold the newest counts: the file that reaches
further, and of two that reach as far, the one known later.
"""

MARKED = "source_file"  # table whose comment says which statements a file has seen
MARK = f"made by statements {hashlib.sha256(_STATEMENTS.encode()).hexdigest()[:16]}"
SCHEMA = f"{_STATEMENTS}comment on table {MARKED} is '{MARK}';\n"
