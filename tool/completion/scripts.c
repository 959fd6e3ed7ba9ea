/* SPDX-License-Identifier: Apache-2.0 */
/* The completion scripts: what a shell does with the answers of `sc-hsm complete`. */
#include <stdio.h>
#include <string.h>

#include "tool/help.h"

/* clang-format off */

/*
 * bash parts words at the characters of COMP_WORDBREAKS, = and : among them, and takes what is
 * offered for the last part alone: they are put together again, and what it has is taken off.
 */
static const char *const bash_lines[] = {
    "_sc_hsm() {",
    "    local rest=${COMP_LINE:0:COMP_POINT} words=() part='' word about known path paths",
    "    COMPREPLY=()",
    "    for part in \"${COMP_WORDS[@]:0:COMP_CWORD+1}\"; do",
    "        word=${rest#\"${rest%%[![:blank:]]*}\"}",
    "        [ ${#part} -le ${#word} ] || part=$word",
    "        if [ ${#words[@]} -gt 0 ] && [ \"$word\" = \"$rest\" ]; then",
    "            words[${#words[@]}-1]+=$part",
    "        else",
    "            words+=(\"$part\")",
    "        fi",
    "        rest=${word#\"$part\"}",
    "    done",
    "    words=(\"${words[@]//[\\\\\\\"\\']/}\")",
    "    part=${part//[\\\\\\\"\\']/}",
    "    case $part in",
    "    [:=]*) part=${part##*[:=]} ;;",
    "    esac",
    "    known=${words[${#words[@]}-1]}",
    "    known=${known%\"$part\"}",
    "    while IFS=$'\\t' read -r word about; do",
    "        case $word in",
    "        :files | :folders)",
    "            path=${words[${#words[@]}-1]#\"$about\"}",
    "            if [ \"$word\" = :files ]; then",
    "                mapfile -t paths < <(compgen -f -- \"$path\")",
    "            else",
    "                mapfile -t paths < <(compgen -d -- \"$path\")",
    "            fi",
    "            for path in \"${paths[@]}\"; do",
    "                path=$about$path",
    "                COMPREPLY+=(\"${path#\"$known\"}\")",
    "            done",
    "            # The shell quotes them, and finds those of ~ itself.",
    "            compopt -o filenames -o default 2>/dev/null",
    "            ;;",
    "        *)",
    "            case $word in",
    "            *[:=]) compopt -o nospace 2>/dev/null ;;",
    "            esac",
    "            printf -v word %q \"${word#\"$known\"}\"",
    "            COMPREPLY+=(\"$word\")",
    "            ;;",
    "        esac",
    "    done < <(command sc-hsm complete -- \"${words[@]:1}\" 2>/dev/null)",
    "}",
    "complete -F _sc_hsm sc-hsm",
    NULL,
};

static const char *const zsh_lines[] = {
    "_sc_hsm() {",
    "    local word about where before",
    "    local -a given whole open",
    "    given=(\"${(@Q)words[2,CURRENT-1]}\" \"${(Q)PREFIX}\")",
    "    while IFS=$'\\t' read -r word about; do",
    "        case $word in",
    "        (:files|:folders) where=$word before=$about ;;",
    "        (*[:=]) open+=(\"${word//:/\\\\:}${about:+:$about}\") ;;",
    "        (*) whole+=(\"${word//:/\\\\:}${about:+:$about}\") ;;",
    "        esac",
    "    done < <(command sc-hsm complete -- \"${given[@]}\" 2>/dev/null)",
    "    (( $#open )) && _describe -t values value open -S ''",
    "    (( $#whole )) && _describe -t values value whole",
    "    if [[ -n $where ]]; then",
    "        [[ -z $before ]] || compset -P \"${(b)before}\"",
    "        case $where in",
    "        (:files) _files ;;",
    "        (*) _files -/ ;;",
    "        esac",
    "    fi",
    "}",
    "if [[ $funcstack[1] == _sc-hsm ]]; then",
    "    _sc_hsm \"$@\"",
    "else",
    "    compdef _sc_hsm sc-hsm",
    "fi",
    NULL,
};

static const char *const fish_lines[] = {
    "function __sc_hsm_complete",
    "    set -l current (commandline -ct)",
    "    set -l given (commandline -opc) \"$current\"",
    "    for line in (command sc-hsm complete -- $given[2..-1] 2>/dev/null)",
    "        set -l parts (string split -m 1 \\t -- $line)",
    "        switch $parts[1]",
    "            case ':files' ':folders'",
    "                set -l path (string replace -- \"$parts[2]\" '' \"$current\")",
    "                set -l paths",
    "                if test $parts[1] = ':files'",
    "                    set paths (__fish_complete_path \"$path\")",
    "                else",
    "                    set paths (__fish_complete_directories \"$path\" folder)",
    "                end",
    "                for path in $paths",
    "                    printf '%s\\n' \"$parts[2]$path\"",
    "                end",
    "            case '*'",
    "                printf '%s\\n' \"$line\"",
    "        end",
    "    end",
    "end",
    "complete -c sc-hsm -f -a '(__sc_hsm_complete)'",
    NULL,
};

/* clang-format on */

static const struct {
    const char *name;
    const char *first; /* what the first line begins with */
    const char *const *lines;
} shells[] = {
    { "bash", "#", bash_lines },
    { "zsh", "#compdef sc-hsm\n#", zsh_lines },
    { "fish", "#", fish_lines },
};

int schsm_help_completion(const char *shell, struct schsm_error *err)
{
    for (size_t i = 0; i < sizeof(shells) / sizeof(shells[0]); i++) {
        if (strcmp(shells[i].name, shell) != 0) {
            continue;
        }
        printf("%s Completion of %s for " SCHSM_TOOL_NAME "; made by '" SCHSM_TOOL_NAME
               " help --completion %s'.\n",
               shells[i].first, shell, shell);
        for (const char *const *line = shells[i].lines; *line != NULL; line++) {
            puts(*line);
        }
        return 1;
    }
    return schsm_fail(err, SCHSM_REASON_ARGUMENT,
                      "there is no completion for '%.40s': bash, zsh or fish", shell);
}
