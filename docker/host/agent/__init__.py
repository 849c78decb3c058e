"""The host agent: what decides on a machine, and the hands that carry it out.

Python 3.9 and its standard library alone: Amazon Linux 2023 keeps it as /usr/bin/python3 for its life
(https://docs.aws.amazon.com/linux/al2023/ug/python.html). The rooms, from the bottom up; each imports only from those
that stand before it in this list:

- errors, shape, words, budgets: how the agent fails, how it reads JSON and the words of others, the time limits on
  which another part of the site depends.
- decide/: what is to be done, as functions of what was seen; without I/O.
- files, log, logfile, notify, process, clock, contained, locks: how it reads, writes, speaks, calls other programs,
  waits, survives a storage that hangs, and does one thing at a time.
- machine, journal, founding, served: this machine: what it is, what it has noted of its own work, whether it founds a
  cluster, and the certificate that its edge shows.
- metadata, engine, record_files, record, lease, aws: who is asked, one room for each: the instance's metadata, Docker,
  the cluster record, AWS; and the right to change anything.
- context: what a verb works with.
- registry, releases, swarm, leaving, replacing, leading: logins to registries, the releases on this machine, its place
  in the Swarm, its way out, and the leader's work.
- certificates, preflight, tickets, notice: the certificate and the keys of TLS session tickets that the hosts share,
  certbot's question before an order, the notice that the group ends this machine.
- release/: how a release comes to the cluster: apply, boot and back, and what they are made of.
- resident, status_text: the loop of the short ticks, the screen of `twinhost status`.
- cli: `twinhost VERB`, which imports a verb by its name when it is called.
- verbs/: what `twinhost VERB` and the units run, one file for each verb.
"""
