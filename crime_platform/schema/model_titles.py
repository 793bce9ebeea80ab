"""What models are called on pages that people read; tables keep the names."""

_TITLES = {
    "policy": "Policy (no model)",
    "convlstm": "ConvLSTM",
    "ewma": "EWMA",
    "gldnet": "GLDNet",
    "lightgbm": "LightGBM",
    "st_resnet": "ST-ResNet",
    "mean12_seasonal": "Mean of 12 months with season",
    "rolling_mean_3": "Mean of 3 months",
    "rolling_mean_6": "Mean of 6 months",
    "rolling_mean_12": "Mean of 12 months",
    "rolling_mean_24": "Mean of 24 months",
    "empirical_bayes": "Empirical Bayes",
    "gamma_poisson": "Gamma-Poisson",
    "long_run_frequency": "Long-run frequency",
}
_OLD_RECIPE = "_log1p_mse"  # the same network, trained by the recipe of the blogs


def model_title(name: str) -> str:
    """`Historical average` for `historical_average`; names of methods as their authors write."""
    if name.endswith(_OLD_RECIPE):
        return f"{model_title(name.removesuffix(_OLD_RECIPE))} (log1p, MSE)"
    return _TITLES.get(name) or name.replace("_", " ").capitalize()
