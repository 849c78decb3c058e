"""The figures that a host publishes of the certificate that it serves."""

from __future__ import annotations


def figures(days: int | None, trusted: bool, instance: str) -> list[dict[str, object]]:
    """As PutMetricData takes them. Without an end of the certificate there are no days: an alarm takes missing data
    for bad. Each figure is there twice: without a dimension, where the minimum is the worst host of the site and the
    number of samples is that of the hosts that reported, and with the dimension Instance, to see which one it is.
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html
    """
    values: dict[str, int] = {} if days is None else {"CertificateDaysLeft": days}
    values["CertificateTrusted"] = int(trusted)
    found: list[dict[str, object]] = []
    for name, value in values.items():
        datum: dict[str, object] = {"MetricName": name, "Value": value, "Unit": "None"}
        found += [datum, {**datum, "Dimensions": [{"Name": "Instance", "Value": instance}]}]
    return found
