"""How a release comes to the cluster: three programs over shared rooms.

- apply: what the parameter names, at a deploy. boot: this folder's release, where the cluster has none yet. back: this
  folder's release again, after one that failed. steps, rollout: what they have in common.
- plan, files, images, pulls, application, secrets: what is deployed.
- checks, trial: what it has to show before Swarm hears of it. answers: what the application and the edges answer.
- stack: Swarm, until it has converged. note, leftovers: what stays of a release that has, and what goes.
- lock: one release at a time in the cluster. outcome, report, ending: how a release ends, and who reads that.
- docker, waiting: Docker's command line, and what is asked again.
"""
