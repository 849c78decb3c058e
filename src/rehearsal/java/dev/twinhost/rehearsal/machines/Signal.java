package dev.twinhost.rehearsal.machines;

/** What a machine has told CloudFormation of itself. */
public enum Signal {
    SUCCESS,
    FAILURE
}
