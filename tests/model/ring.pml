/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ring of one flow: FlowWriter::begin(), commit(), take_over() and RingReader::try_read() (bus/src), with a writer
 * that may die before any of its stores, twice, and stores that become visible in any order a fence does not forbid.
 * README.md beside this file says what is left out. Each -D below builds one mistake in; all of them must be found.
 *
 *   RESUME_AT_HEAD      the next writer goes on at head instead of behind the highest stamp
 *   ASSUME_EMPTY        ... takes the ring for empty instead of looking for live records
 *   HEAD_STAYS          ... does not move head over what it burnt
 *   PAYLOAD_FIRST       payload is stored before its former owners are retired
 *   NO_RETIRE_FENCE     no fence between retiring and payload (SYNC B)
 *   NO_COMMIT_FENCE     no fence between payload and the committed stamp (SYNC A)
 *   RETIRE_SLOT_ONLY    only the slot's former record is retired, not the owners of the arena bytes
 *   NO_WRAP_RETIRE      owners of the bytes skipped at the arena's end are left alone, and the position is taken modulo
 *   NO_RECHECK          the reader believes the first look at the stamp
 *   EARLY_RECHECK       the reader's second look is not held below its last payload load (SYNC B)
 */
#define SLOTS 2
#define CELLS 4      /* the arena; a record takes one or two */
#ifndef RECORDS
#define RECORDS 4    /* indices the writers hand out in all */
#endif
#ifndef CRASHES
#define CRASHES 2
#endif

#define EMPTY 0
#define WRITING 1
#define COMMITTED 2
#define RETIRED 3
#define STAMP(index, state) (((index) << 2) | (state))
#define INDEX(stamp) ((stamp) >> 2)
#define STATE(stamp) ((stamp) & 3)

/* Addresses in the shared memory. */
#define SLOT(index) ((index) % SLOTS)
#define DESCRIPTOR(index) (SLOTS + (index) % SLOTS)
#define CELL(position) (2 * SLOTS + (position) % CELLS)
#define HEAD (2 * SLOTS + CELLS)
#define WORDS (HEAD + 1)

byte memory[WORDS];

/* Stores on their way: each may overtake any other, only those to one address stay in order. A fence lets none pass;
 * that it waits here is no restriction, since nobody else sees how far ahead of its stores a writer is. */
#define PENDING 8
byte pending_address[PENDING];
byte pending_value[PENDING];
byte pending = 0;

/* What the proof knows and the program does not. */
byte content[RECORDS];  /* the payload committed under each index; 0: none */
byte crashes = 0;
bool writers_done = false;

inline store(address, value) {
    atomic {
        assert(pending < PENDING);
        pending_address[pending] = address;
        pending_value[pending] = value;
        pending++
    }
}
#define fence() pending == 0

/* One pending store becomes visible. */
active proctype visibility() {
    byte i;
    byte j;
    bool blocked;
end:
    do
    :: atomic {
        pending > 0 ->
        select (i : 0 .. PENDING - 1);
        if
        :: i < pending ->
            blocked = false;
            j = 0;
            do
            :: j < i ->
                blocked = blocked || pending_address[j] == pending_address[i];
                j++
            :: else -> break
            od;
            if
            :: !blocked ->
                memory[pending_address[i]] = pending_value[i];
                j = i;
                do
                :: j + 1 < pending ->
                    pending_address[j] = pending_address[j + 1];
                    pending_value[j] = pending_value[j + 1];
                    j++
                :: else -> break
                od;
                pending--;
                pending_address[pending] = 0;
                pending_value[pending] = 0
            :: else -> skip
            fi
        :: else -> skip
        fi;
        i = 0;
        j = 0;
        blocked = false
    }
    :: writers_done && pending == 0 -> break
    od
}

/* kill -9, here or later. */
#define MAY_DIE                                              \
    if                                                       \
    :: crashes < CRASHES -> crashes++; goto taken_over_anew  \
    :: true                                                  \
    fi

active proctype writers() {
    byte next = 0;
    byte tail = 0;
    byte write_position = 0;
    byte positions[SLOTS];
    byte position;
    byte size;
    byte i;
    byte life = 0;
    bool found;

write_next:
    do
    :: next < RECORDS ->
        if
        :: size = 1
        :: size = 2
        fi;
        d_step {
            if
            :: write_position % CELLS + size <= CELLS -> position = write_position
            :: else -> position = write_position + CELLS - write_position % CELLS
            fi;
#ifdef NO_WRAP_RETIRE
            position = position % CELLS;
#endif
            i = 0
        }
#ifdef PAYLOAD_FIRST
        do
        :: i < size -> MAY_DIE; store(CELL(position + i), life * 16 + next + 1); i++
        :: else -> i = 0; break
        od;
        fence();
#endif
        /* begin() */
        do
#ifdef RETIRE_SLOT_ONLY
        :: tail < next && next - tail >= SLOTS ->
#else
        :: tail < next && (next - tail >= SLOTS || position + size - positions[tail % SLOTS] > CELLS) ->
#endif
            MAY_DIE;
            store(SLOT(tail), STAMP(tail, RETIRED));
            tail++
        :: else -> break
        od;
        MAY_DIE;
        store(SLOT(next), STAMP(next, WRITING));
#ifndef NO_RETIRE_FENCE
        fence();
#endif
#ifndef PAYLOAD_FIRST
        do
        :: i < size -> MAY_DIE; store(CELL(position + i), life * 16 + next + 1); i++
        :: else -> i = 0; break
        od;
#endif
        /* commit() */
        MAY_DIE;
        store(DESCRIPTOR(next), position * 4 + size);
#ifndef NO_COMMIT_FENCE
        fence();
#endif
        MAY_DIE;
        assert(content[next] == 0);  /* an index is committed at most once */
        atomic { content[next] = life * 16 + next + 1; store(SLOT(next), STAMP(next, COMMITTED)) };
        d_step {
            positions[next % SLOTS] = position;
            write_position = position + size
        }
#ifdef NO_COMMIT_FENCE
        memory[SLOT(next)] == STAMP(next, COMMITTED);  /* a release store orders the stamp, not streaming stores */
#else
        fence();  /* head is a release store, too */
#endif
        MAY_DIE;
        store(HEAD, next + 1);
        next++
    :: else -> break
    od;
    pending == 0;
    writers_done = true;
    goto finished;

taken_over_anew:
    /* The kernel frees the lock of a process that is gone: every store it made is visible by then. */
    pending == 0;
    d_step {
        life++;
        next = 0;
        i = 0;
        found = false;
        do
        :: i < SLOTS ->
            if
            :: memory[i] != 0 && INDEX(memory[i]) + 1 > next -> next = INDEX(memory[i]) + 1; found = true
            :: else -> skip
            fi;
            i++
        :: else -> break
        od;
#ifdef RESUME_AT_HEAD
        next = memory[HEAD];
#endif
        write_position = 0;
        found = false;
        tail = (next > SLOTS -> next - SLOTS : 0);
        i = tail;
        do
        :: i < next ->
            if
            :: memory[SLOT(i)] == STAMP(i, COMMITTED) ->
                positions[i % SLOTS] = memory[DESCRIPTOR(i)] / 4;
                write_position = memory[DESCRIPTOR(i)] / 4 + memory[DESCRIPTOR(i)] % 4;
                found = true
            :: memory[SLOT(i)] == STAMP(i, RETIRED) -> tail = i + 1
            :: else -> positions[i % SLOTS] = write_position  /* burnt: it owns no cell */
            fi;
            i++
        :: else -> break
        od;
        /* A burnt index before every live record stands where the first of those does. */
        if
        :: found && tail + 1 < next && memory[SLOT(tail)] != STAMP(tail, COMMITTED) ->
            positions[tail % SLOTS] = positions[(tail + 1) % SLOTS]
        :: else -> skip
        fi;
#ifdef ASSUME_EMPTY
        tail = next;
        write_position = 0;
#endif
        i = 0;
        found = false;
        position = 0;
        size = 0
    }
#ifndef HEAD_STAYS
    store(HEAD, next);
    pending == 0;
#endif
    goto write_next;
finished:
    skip
}

active proctype reader() {
    byte cursor = 0;
    byte delivered = 0;
    byte overrun = 0;
    byte aborted = 0;
    byte head;
    byte stamp;
    byte descriptor;
    byte i;
    byte first;
    byte second;
    bool whole;

    do
    :: cursor < RECORDS ->
        head = memory[HEAD];
        if
        :: cursor >= head ->
            d_step { head = 0 };
            /* Nothing new: sleeps until something changes, or the end. */
            if
            :: memory[HEAD] > cursor -> skip
            :: writers_done && pending == 0 && memory[HEAD] <= cursor -> break
            fi
        :: else ->
            d_step {
                if
                :: head > SLOTS && cursor < head - SLOTS ->
                    overrun = overrun + (head - SLOTS - cursor);
                    cursor = head - SLOTS
                :: else -> skip
                fi;
                head = 0
            };
            stamp = memory[SLOT(cursor)];
            if
            :: stamp != STAMP(cursor, COMMITTED) ->
                d_step {
                    if
                    :: INDEX(stamp) > cursor || stamp == STAMP(cursor, RETIRED) -> overrun++
                    :: else -> aborted++; assert(content[cursor] == 0)  /* aborted: nobody ever committed it */
                    fi;
                    cursor++;
                    stamp = 0
                }
            :: else ->
                descriptor = memory[DESCRIPTOR(cursor)];
                if
                :: memory[SLOT(cursor)] != stamp -> d_step { stamp = 0; descriptor = 0 }  /* looks again */
                :: else ->
                    first = memory[CELL(descriptor / 4)];
#ifdef EARLY_RECHECK
                    whole = memory[SLOT(cursor)] == stamp;
#endif
                    if
                    :: descriptor % 4 == 2 -> second = memory[CELL(descriptor / 4 + 1)]
                    :: else -> second = first
                    fi;
#ifdef NO_RECHECK
                    whole = true;
#else
#ifndef EARLY_RECHECK
                    whole = memory[SLOT(cursor)] == stamp;
#endif
#endif
                    d_step {
                        if
                        :: whole ->
                            delivered++;
                            assert(first == content[cursor] && second == content[cursor])  /* no torn record */
                        :: else -> overrun++
                        fi;
                        cursor++;
                        first = 0;
                        second = 0;
                        stamp = 0;
                        descriptor = 0;
                        whole = false
                    }
                fi
            fi;
            assert(delivered + overrun + aborted == cursor)
        fi
    :: else -> break
    od;
    /* Whatever happened, the reader gets to the end: the last index, and head with it. */
    assert(cursor == RECORDS)
}
