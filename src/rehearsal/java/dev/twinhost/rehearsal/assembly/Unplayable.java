package dev.twinhost.rehearsal.assembly;

import dev.twinhost.rehearsal.system.Failure;

/** Something in the template that the rehearsal does not know how to play, refused by name before anything is started. */
public final class Unplayable extends Failure {
    public Unplayable(Resource resource, String what) {
        this(resource.type() + " " + resource.id(), what);
    }

    Unplayable(String where, String what) {
        super(where + ": the rehearsal cannot play " + what);
    }
}
