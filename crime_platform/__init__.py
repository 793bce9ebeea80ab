"""Monthly forecasts of recorded crime per 500 m cell, published only when they beat the average.

```
files -> sources -> incidents, counts (warehouse.duckdb, the truth)
      -> grid tensor (xarray, Zarr) -> windows -> models -> back-test on rolling origins
      -> champion -> candidate --[gate]--> release (forecasts.duckdb) -> SQL
```

Where do I go to...?

- add a city? `data/study_areas/`: one TOML; its keys are in `vocabulary.study_area`.
- read another file format? `sources`.
- change what a cell is? `geography.grid`.
- add a baseline? `models.baselines`. A network? `models`, then `training.fit`.
- change a score? `metrics` has one formula each, `scoring` says which cases, `vocabulary.views`
  takes the ratios.
- change what is published when? `champion`: the choice and the gate.
- change a published table? `vocabulary.tables`, `vocabulary.views`, then `release`.
- change when things run? `defs.schedules`; what the UI shows? `defs.assets_grid`, `defs.checks`.
"""
