package dev.twinhost.rehearsal.aws;

import dev.twinhost.rehearsal.machines.Machine;
import java.util.Map;

/** A call of AWS that machines make. */
interface Action {
    Answer perform(Machine caller, Map<String, String> parameters);
}
